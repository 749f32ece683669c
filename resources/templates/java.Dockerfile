#> The newest stable version of the Dockerfile language, for cache mounts.
# syntax=docker/dockerfile:1

#> Compiler and build tool stay in this stage.
#if tool=maven
FROM maven:3.9-eclipse-temurin-{{version}} AS build
WORKDIR /src
#> Only the list of dependencies: this step and the next are cached until it changes.
COPY pom.xml ./
#> The cache mount keeps the repository for the next build, out of the image.
RUN --mount=type=cache,target=/root/.m2 mvn -B dependency:go-offline
COPY src ./src
#> Tests are run elsewhere. The copy gives the jar a name without its version.
RUN --mount=type=cache,target=/root/.m2 mvn -B -DskipTests package && cp target/*.jar /app.jar
#else
FROM gradle:8.14-jdk{{version}} AS build
WORKDIR /src
COPY . .
#> The cache mount keeps downloads for the next build, out of the image. Tests are run elsewhere.
RUN --mount=type=cache,target=/home/gradle/.gradle \
    gradle --no-daemon {{task}} -x test && cp build/libs/*.jar /app.jar
#end

#> The runtime alone: a third of the size of the compiler's image.
FROM eclipse-temurin:{{version}}-jre
WORKDIR /app
COPY --from=build /app.jar ./app.jar
#> Use most of the container's memory for the heap, and end when it runs out rather than limp on.
ENV JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError"
#> Not root: who breaks out of the program has few rights. The number needs no entry in /etc/passwd.
USER 10001:10001
#if port
#> Says which port the program listens on; -p opens it when the container is run.
EXPOSE {{port}}
#> Whether it answers, asked with what is in the image anyway.
HEALTHCHECK --interval=30s --timeout=3s --start-period=40s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/{{port}}"]
#end
#> The exec form: the program is process 1 and hears signals.
ENTRYPOINT ["java", "-jar", "app.jar"]
