# syntax=docker/dockerfile:1
# check=skip=JSONArgsRecommended;error=true

ARG PYTHON=3.12
ARG DEBIAN=bookworm

FROM python:${PYTHON}-slim-${DEBIAN} AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/opt/venv/bin:$PATH
WORKDIR /app

# wheels are built here, compilers stay behind
FROM base AS wheels
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install --no-install-recommends -y \
        build-essential \
        # for psycopg
        libpq-dev
COPY requirements*.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=index,env=PIP_INDEX_URL,required=true \
    python -m venv /opt/venv && pip install -r requirements.txt

FROM base
RUN groupadd --system app && useradd --system --gid app --home-dir /app app
COPY --from=wheels --link /opt/venv /opt/venv
COPY --chown=app:app --exclude=*.md . .
USER app:app
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8000/health')"]
ENTRYPOINT ["gunicorn"]
CMD ["--bind", "0.0.0.0:8000", "app:create()"]
