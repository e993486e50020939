"""Which providers the gateway can play."""

from marketplace.payments.gateway import atmos, cloudpayments, freedompay, payme, stripe
from marketplace.payments.gateway.stage import Play

PLAYS: dict[str, Play] = {
    play.code: play
    for play in (
        payme.PLAY,
        atmos.UZCARD,
        atmos.HUMO,
        stripe.PLAY,
        freedompay.PLAY,
        cloudpayments.PLAY,
    )
}
