"""Tokens are no business of the admin: nobody there can use, give out or take back one."""

from django.contrib import admin
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

admin.site.unregister([BlacklistedToken, OutstandingToken])
