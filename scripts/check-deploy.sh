#!/bin/sh
# Django's deployment checks on the production settings, with throw-away secrets.
set -eu
export DJANGO_SETTINGS_MODULE=project.settings.production
export SECRET_KEY="$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(60))')"
export FERNET_KEY="$(.venv/bin/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')"
export DATABASE_URL="sqlite:///var/check.sqlite3" ALLOWED_HOSTS="wibestore.example" EMAIL_HOST="mail.example" LOG_DIR="${TMPDIR:-/tmp}"
export CLAMD_URL="unix:///run/clamav/clamd.sock"
.venv/bin/python manage.py check --deploy --fail-level WARNING
