#> The newest stable version of the Dockerfile language, for cache mounts.
# syntax=docker/dockerfile:1

#> A stage of its own builds the environment, so that the tools for it stay out of the image.
FROM python:{{version}}-slim AS build
WORKDIR /app
#if manager=pip
#> A virtual environment can be copied into the next stage as one folder.
RUN python -m venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH
#> Only the list of packages: this step and the next are cached until it changes.
COPY requirements.txt ./
#> The cache mount keeps pip's downloads for the next build, out of the image.
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
#end
#if manager=uv
#> uv, of a fixed version, from its own image.
COPY --from=ghcr.io/astral-sh/uv:0.8.3 /uv /bin/uv
#> Compile now rather than at each start; copy, since the cache mount is another file system.
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
#> Only the list of packages: this step and the next are cached until it changes.
COPY pyproject.toml uv.lock ./
#> Exactly what the lock file says, without the project itself and without its tools of development.
RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-dev --no-install-project
#end
#if manager=poetry
#> Poetry, of a fixed version; the environment is made inside the project, to be copied as one folder.
ENV POETRY_VIRTUALENVS_IN_PROJECT=1 POETRY_NO_INTERACTION=1
RUN --mount=type=cache,target=/root/.cache/pip pip install poetry==2.1.3
#> Only the list of packages: this step and the next are cached until it changes.
COPY pyproject.toml {{lock}} ./
#> Without the project itself and without its tools of development.
RUN --mount=type=cache,target=/root/.cache/pypoetry poetry install --only main --no-root
#end
#if manager=pipenv
#> Pipenv, of a fixed version; the environment is made inside the project, to be copied as one folder.
ENV PIPENV_VENV_IN_PROJECT=1
RUN --mount=type=cache,target=/root/.cache/pip pip install pipenv==2025.0.4
#> Only the list of packages: this step and the next are cached until it changes.
COPY Pipfile Pipfile.lock ./
#> Exactly what the lock file says.
RUN --mount=type=cache,target=/root/.cache/pipenv pipenv sync
#end
#if manager=pyproject
#> A virtual environment can be copied into the next stage as one folder.
RUN python -m venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH
#> There is no list of packages apart from the project: it is installed as a whole.
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip pip install .
#end
#if manager=none
#> No packages are listed; a virtual environment is ready for the day they are.
RUN python -m venv /app/.venv
#end

#> The image that runs: the same Python, without what the build needed.
FROM python:{{version}}-slim
#> Output appears at once; the environment's programs are found first.
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/app/.venv/bin:$PATH
WORKDIR /app
COPY --from=build /app/.venv ./.venv
#> The source last: it changes most, and all above stays cached. .dockerignore says what is left out.
COPY . .
#> Not root: who breaks out of the program has few rights. The number needs no entry in /etc/passwd.
USER 10001:10001
#if port
#> Says which port the program listens on; -p opens it when the container is run.
EXPOSE {{port}}
#> Whether it answers, asked with what is in the image anyway.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', {{port}}), 2)"]
#end
#> {{command_note}}
CMD {{command}}
