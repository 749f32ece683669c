# Stages are chosen by an argument.
ARG MODE=release
ARG BASE=alpine
FROM ${BASE}:3.20 AS base-debug
RUN apk add gdb
FROM ${BASE}:3.20 AS base-release
FROM base-${MODE} AS final
ARG MODE
ARG FEATURES=${MODE:+${MODE}-features}
ENV A=${FEATURES%-*} B=${FEATURES//e/E} \
    C="${A:-none} and ${B:+some}" D='not $A' E=\$A
RUN --security=insecure --network=host echo "$C"
COPY --from=busybox:1.36 /bin/busybox /bin/
COPY --from=0 /usr/bin/gdb /usr/bin/
