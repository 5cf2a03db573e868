# syntax=docker/dockerfile:1
FROM python:3.11.15-slim-bookworm AS build
WORKDIR /build
COPY requirements/bootstrap.txt requirements/prod.txt ./requirements/
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/bootstrap.txt \
 && /venv/bin/uv pip install --python /venv/bin/python --no-cache --compile-bytecode --require-hashes -r requirements/prod.txt

FROM python:3.11.15-slim-bookworm
RUN groupadd --gid 10001 market && useradd --uid 10001 --gid market --no-create-home --shell /usr/sbin/nologin market
WORKDIR /srv/market
COPY --from=build /venv /venv
COPY app ./app
COPY migrations ./migrations
COPY static ./static
COPY templates ./templates
COPY translations ./translations
COPY workers ./workers
COPY wsgi.py ./
RUN mkdir -p var/files && chown -R market:market var
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TUTUU_ENV=production
USER market
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["python", "-m", "granian", "--interface", "wsgi", "wsgi:app", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "8", "--backlog", "128", "--workers-kill-timeout", "10", "--no-access-log"]
