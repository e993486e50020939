"""Which providers the gateway can play."""

from marketplace.payments.gateway import click, kaspi, mock, payme, paynet
from marketplace.payments.gateway.stage import Play

PLAYS: dict[str, Play] = {
    play.code: play for play in (payme.PLAY, click.PLAY, paynet.PLAY, kaspi.PLAY, mock.PLAY)
}
