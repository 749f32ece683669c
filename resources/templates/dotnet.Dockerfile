#> The newest stable version of the Dockerfile language, for cache mounts.
# syntax=docker/dockerfile:1

#> The SDK stays in this stage.
FROM mcr.microsoft.com/dotnet/sdk:{{version}} AS build
WORKDIR /src
#> Only the project file: this step and the next are cached until it changes.
COPY {{project}} ./{{folder}}
#> The cache mount keeps packages for the next build, out of the image.
RUN --mount=type=cache,target=/root/.nuget/packages dotnet restore {{project}}
COPY . .
RUN --mount=type=cache,target=/root/.nuget/packages dotnet publish {{project}} -c Release -o /out --no-restore

#if web
#> The runtime with ASP.NET Core, without the SDK.
FROM mcr.microsoft.com/dotnet/aspnet:{{version}}
#else
#> The runtime, without the SDK.
FROM mcr.microsoft.com/dotnet/runtime:{{version}}
#end
WORKDIR /app
COPY --from=build /out ./
#> Not root: {{user_note}}
USER {{user}}
#if web
ENV ASPNETCORE_URLS=http://+:8080
#> Says which port the program listens on; -p opens it when the container is run.
EXPOSE 8080
#> Whether it answers, asked with what is in the image anyway.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080"]
#end
#> The exec form: the program is process 1 and hears signals.
ENTRYPOINT ["dotnet", "{{assembly}}.dll"]
