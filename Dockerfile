# Targets: app (pages, sockets, worker, beat: one image, different commands) and proxy (nginx with the static files).

FROM python:3.13-slim AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements/base.txt /tmp/base.txt
RUN /opt/venv/bin/pip install --require-hashes --no-deps -r /tmp/base.txt

FROM python:3.13-slim AS app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=project.settings.production \
    GUNICORN_BIND=0.0.0.0:8000 \
    MEDIA_ROOT=/srv/media \
    PRIVATE_ROOT=/srv/private \
    LOG_DIR=/srv/logs
RUN groupadd --system --gid 10001 app \
    && useradd --system --uid 10001 --gid app --home-dir /app --shell /usr/sbin/nologin app \
    && mkdir -p /app /srv/media /srv/private /srv/logs \
    && chown app:app /srv/media /srv/private /srv/logs
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
# The secrets of this step are made up for it and kept nowhere.
RUN python scripts/compile_messages.py \
    && SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(60))')" \
       FERNET_KEY="$(python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
       DATABASE_URL=sqlite:////tmp/none.sqlite3 ALLOWED_HOSTS=build.invalid EMAIL_HOST=build.invalid LOG_DIR=/tmp \
       python manage.py collectstatic --noinput --verbosity 0
USER app
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 CMD ["python", "deploy/healthcheck.py", "8000"]
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "project.wsgi:application"]

FROM nginxinc/nginx-unprivileged:1.28-alpine AS proxy
COPY deploy/nginx.conf /etc/nginx/nginx.conf
COPY --from=app /app/staticfiles /srv/static
EXPOSE 8080 8443

# Without a target: the product.
FROM app
