# MystiCanvas in a container. docs/running.md says how to use it.
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN python -m pip wheel --no-deps --wheel-dir /wheels . && cp constraints.txt /wheels

FROM python:3.13-slim
LABEL org.opencontainers.image.title="MystiCanvas" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/mysticanvas/mysticanvas"
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    python -m pip install --no-cache-dir --constraint /wheels/constraints.txt "$(ls /wheels/*.whl)[semantic]"
# /outputs is for your images; mount them there, read-only if you like.
RUN install --directory --owner=1000 --group=1000 /library /outputs
# The account needs no name, so `docker run --user` may select any other that can write to the volume.
USER 1000:1000
ENV HOME=/library \
    MYSTICANVAS_LIBRARY=/library \
    MYSTICANVAS_HOST=0.0.0.0 \
    MYSTICANVAS_HOST_NAMES=localhost \
    MYSTICANVAS_PORT=8642 \
    PYTHONUNBUFFERED=1
WORKDIR /library
VOLUME /library
EXPOSE 8642
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['MYSTICANVAS_PORT']), timeout=5); c.request('GET', '/'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["mysticanvas"]
CMD ["serve", "--no-open", "/outputs"]
