# docker build -t storyreel . && docker run -p 127.0.0.1:8080:8080 -v storyreel:/data storyreel
# A key:  docker exec CONTAINER storyreel key create
# The server cages each process that decodes media with landlock and seccomp; /readyz says how strong the cage is here.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY scripts/install-deps.sh scripts/
RUN scripts/install-deps.sh
COPY . .
RUN cargo build --release --locked -p cli

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libavcodec59 libavfilter8 libavformat59 libavutil57 libswresample4 libswscale6 \
        fonts-noto-color-emoji fonts-noto-cjk ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin storyreel \
    && install -d -o storyreel -g storyreel -m 0700 /data
COPY --from=build /src/target/release/storyreel /usr/local/bin/storyreel
COPY LICENSE-MIT LICENSE-APACHE assets/fonts/OFL.txt assets/fonts/NOTICE.md /usr/share/doc/storyreel/
USER storyreel
ENV STORYREEL_DATA=/data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["storyreel"]
# The address is the container's own; what is handed out to clients is built from --public-url.
CMD ["serve", "--listen", "0.0.0.0:8080"]
