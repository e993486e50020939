"""Which ways in this place offers."""

from django import template

from marketplace.accounts import sms
from marketplace.accounts.google import openid
from marketplace.accounts.telegram import signed

register = template.Library()


@register.simple_tag
def google_is_on() -> bool:
    """`{% google_is_on as google %}`"""
    return openid.is_on()


@register.simple_tag
def phone_is_on() -> bool:
    """`{% phone_is_on as phone %}`"""
    return sms.is_on()


@register.simple_tag
def telegram_is_on() -> bool:
    """`{% telegram_is_on as telegram %}`"""
    return signed.is_on()
