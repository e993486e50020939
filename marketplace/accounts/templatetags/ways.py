"""Which ways in this place offers."""

from django import template

from marketplace.accounts.google import openid

register = template.Library()


@register.simple_tag
def google_is_on() -> bool:
    """`{% google_is_on as google %}`"""
    return openid.is_on()
