FROM ubuntu:14.04
MAINTAINER Somebody Else <somebody@example.org>

# Old style, with everything that was fine once.
ENV DEBIAN_FRONTEND noninteractive
ENV PATH /usr/local/rbenv/bin:$PATH
LABEL description This is one label
RUN apt-get update -qq && \

    # comments and blank lines in the middle
    apt-get install -qqy \
      curl   \

      git
ADD https://example.org/archive.tar.gz /tmp/
add . /srv
run ["echo", 'single quotes']
Run cd /srv; \
	make install; \
	make clean
VOLUME /data /logs
VOLUME ["/with space"]
EXPOSE 80 443
cmd /bin/sh -c "echo '$HOME' \
  continued"
