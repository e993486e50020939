"""Which providers the gateway can play."""

from marketplace.payments.gateway import (
    atmos,
    click,
    cloudpayments,
    freedompay,
    kaspi,
    mock,
    payme,
    paynet,
    stripe,
)
from marketplace.payments.gateway.stage import Play

PLAYS: dict[str, Play] = {
    play.code: play
    for play in (
        payme.PLAY,
        click.PLAY,
        paynet.PLAY,
        atmos.UZCARD,
        atmos.HUMO,
        stripe.PLAY,
        kaspi.PLAY,
        freedompay.PLAY,
        cloudpayments.PLAY,
        mock.PLAY,
    )
}
