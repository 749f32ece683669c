# syntax=docker/dockerfile:1
FROM debian:12-slim
ARG NAME=world

COPY <<-EOF <<'RAW' <<"two words" /etc/app/
	greeting = "hello $NAME"
	path = ${HOME:-/root}
	EOF
nothing is $EXPANDED here
# and this is no comment
RAW
FROM is no instruction here
two words

RUN <<FIRST cat > /a && <<SECOND cat > /b
one
FIRST
two
SECOND

RUN python3 <<-PY
	import sys
	print("FROM python", sys.version)
	PY

ONBUILD COPY <<EOF /built.txt
on build
EOF
RUN cat 3<<FD <&3
three
FD
RUN echo "no <<heredoc" && echo <<<"a here string"
