# The image of sync-daemon: the program in /opt/sync-daemon, run as user 10001 (app); its root may be read-only:
#
#   docker build -t sync-daemon .
#   docker run --read-only --tmpfs /tmp -v sync-data:/data -v ./config/sync.yaml:/config/sync.yaml:ro sync-daemon
#
# buildah and podman need `--format docker`: their own format knows no health check.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
COPY config/constraints.txt config/
RUN python -m venv /tools \
    && /tools/bin/pip install --quiet --constraint config/constraints.txt build hatchling \
    && python -m venv --without-pip /opt/sync-daemon
COPY pyproject.toml README.md ./
COPY config/sync.example.yaml config/
COPY migrations migrations
COPY sync_daemon sync_daemon
# What is installed is what is distributed: the wheel, and nothing of the source tree. Which town a phone number
# is from, nobody asks here: it would be 40 MB of the image.
RUN /tools/bin/python -m build --wheel --no-isolation --outdir /dist \
    && /tools/bin/pip --python /opt/sync-daemon/bin/python install --quiet --constraint config/constraints.txt \
        "sync-daemon[cluster,postgres] @ file://$(echo /dist/*.whl)" \
    && rm -r /opt/sync-daemon/lib/python*/site-packages/phonenumbers/geodata

FROM ${BASE}
LABEL org.opencontainers.image.title="sync-daemon" \
      org.opencontainers.image.description="Keeps GoHighLevel contacts and an EmailOctopus list equal, both ways, without losing a consent." \
      org.opencontainers.image.version="0.1.0"
RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid app --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin app \
    && install --directory --owner=app --group=app --mode=0700 /data
COPY --from=build /opt/sync-daemon /opt/sync-daemon
# The address within the container; which of them the outside reaches is for `ports:` or `-p` to say.
ENV PATH=/opt/sync-daemon/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    SYNC_DAEMON_CONFIG=/config/sync.yaml \
    SYNC_DAEMON_LOG_FORMAT=json \
    SYNC_DAEMON_SERVICE__HTTP__HOST=0.0.0.0 \
    SYNC_DAEMON_SERVICE__HTTP__PORT=8080
# Relative paths start here: the default database, data/sync.db, is /data/sync.db, and its key lies beside it.
WORKDIR /
VOLUME ["/data"]
EXPOSE 8080
USER 10001
# Without proxies: a variable http_proxy is for the two APIs.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-I", "-c", "\
import os, urllib.request as u; \
address = 'http://127.0.0.1:' + os.environ['SYNC_DAEMON_SERVICE__HTTP__PORT'] + '/healthz'; \
u.build_opener(u.ProxyHandler({})).open(address, timeout=4)"]
ENTRYPOINT ["sync-daemon"]
CMD ["run"]
