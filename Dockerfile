# syntax=docker/dockerfile:1
# Two stages: the first installs wheels, the second holds the program and no tools to build with.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1
WORKDIR /build
COPY requirements/bootstrap.txt requirements/prod.txt ./
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --require-hashes -r bootstrap.txt \
    && python -m venv --without-pip /opt/market \
    && /opt/uv/bin/uv pip install --python /opt/market/bin/python --compile-bytecode --only-binary :all: \
        --require-hashes -r prod.txt

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 market \
    && useradd --system --uid 10001 --gid market --home-dir /srv/market --shell /usr/sbin/nologin market \
    && install -d -o market -g market /srv/files /srv/market/var
ENV PATH=/opt/market/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TUTUU_ENV=production STORAGE=/srv/files
COPY --from=build /opt/market /opt/market
WORKDIR /srv/market
COPY wsgi.py ./
COPY app app
COPY workers workers
COPY migrations migrations
COPY templates templates
COPY translations translations
COPY static static
RUN python -m compileall -q app workers migrations wsgi.py
USER market
EXPOSE 8000
# A short backlog: whoever waits longer than a person waits is refused, so that the next page is quick again.
CMD ["granian", "--interface", "wsgi", "wsgi:app", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "8", "--backlog", "128", "--respawn-failed-workers", "--workers-kill-timeout", "30", \
     "--no-access-log", "--log-level", "warning"]
