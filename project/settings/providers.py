"""Which payment providers there are, and what each needs to know. A provider without its values is not offered.

Outside production every value has a documented sample (the last column), so that a gateway's simulator can be pointed at
a fresh demo; production takes what the environment gives, and refuses to start with a sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from environ import Env

_PROVIDERS = "marketplace.payments.providers"


@dataclass(frozen=True, slots=True)
class Value:
    """A setting of a provider: its name in the adapter and in the environment, its sample, and its default everywhere."""

    name: str
    variable: str
    sample: str = ""
    default: str = ""
    is_secret: bool = False
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    code: str
    adapter: str
    values: tuple[Value, ...] = field(default_factory=tuple)
    # Where the payer's browser is sent after a form of ours; addresses among the values count anyway.
    origins: tuple[str, ...] = ()


def _required(name: str, variable: str, sample: str) -> Value:
    return Value(name, variable, sample, is_required=True)


def _secret(name: str, variable: str, sample: str) -> Value:
    return Value(name, variable, sample, is_secret=True, is_required=True)


def _atmos(code: str, adapter: str, prefix: str) -> Provider:
    """Both card networks go through ATMOS, each by a store of its own."""
    values = (
        _required("store_id", f"{prefix}_STORE_ID", f"test-{code}-store"),
        _secret("consumer_key", f"{prefix}_CONSUMER_KEY", f"test-{code}-key"),
        _secret("consumer_secret", f"{prefix}_CONSUMER_SECRET", f"test-{code}-secret"),
        _secret("api_key", "ATMOS_API_KEY", "atmos-test-api-key"),
        Value("sign_hash", "ATMOS_SIGN_HASH", default="md5"),
        # Empty outside production: the built-in gateway plays ATMOS.
        Value("api_url", "ATMOS_BASE_URL", default="https://apigw.atmos.uz"),
    )
    return Provider(code, f"{_PROVIDERS}.atmos.{adapter}", values)


PROVIDERS = (
    Provider(
        "payme",
        f"{_PROVIDERS}.payme.PaymeProvider",
        (
            _required("merchant_id", "PAYME_MERCHANT_ID", "5e730e8e0b852a417aa49ceb"),
            Value("login", "PAYME_LOGIN", default="Paycom"),
            _secret("key", "PAYME_SECRET_KEY", "payme-test-key"),
            # Empty outside production: the built-in gateway plays Payme's page.
            Value("checkout_url", "PAYME_CHECKOUT_URL", default="https://checkout.paycom.uz"),
        ),
    ),
    Provider(
        "click",
        f"{_PROVIDERS}.click.ClickProvider",
        (
            _required("service_id", "CLICK_SERVICE_ID", "12345"),
            _required("merchant_id", "CLICK_MERCHANT_ID", "11111"),
            _secret("secret_key", "CLICK_SECRET_KEY", "click-test-secret"),
            # Without it Click is never asked: no reversals, and no check of a payment whose Complete got lost.
            Value("merchant_user_id", "CLICK_MERCHANT_USER_ID", sample="77777"),
            Value("pay_url", "CLICK_PAY_URL", default="https://my.click.uz"),
            Value("api_url", "CLICK_API_URL", default="https://api.click.uz/v2/merchant"),
        ),
    ),
    Provider(
        "paynet",
        f"{_PROVIDERS}.paynet.PaynetProvider",
        (
            Value("login", "PAYNET_LOGIN", default="paynet"),
            _secret("password", "PAYNET_PASSWORD", "paynet-test-password"),
            _required("service_id", "PAYNET_SERVICE_ID", "1"),
            Value("merchant_id", "PAYNET_MERCHANT_ID"),  # the service when empty
            Value(
                "link_url",
                "PAYNET_LINK_TEMPLATE",
                default="https://app.paynet.uz/?m={merchant}&c={reference}&a={tiyin}",
            ),
            Value("check_time_format", "PAYNET_CHECK_TIME_FORMAT", default="%Y-%m-%d %H:%M:%S"),
        ),
    ),
    Provider(
        "kaspi",
        f"{_PROVIDERS}.kaspi.KaspiProvider",
        (
            _secret("token", "KASPI_URL_TOKEN", "kaspi-test-token"),
            # Nobody knows the link but the contract, so there is no default; the sample is the built-in gateway.
            _required("link", "KASPI_LINK_TEMPLATE", "gateway"),
            # Outside production the loopback addresses are allowed as well.
            Value("networks", "KASPI_ALLOWED_NETWORKS", default="194.187.247.152/29,194.187.247.160/29"),
        ),
    ),
    _atmos("uzcard", "UzcardProvider", "UZCARD"),
    _atmos("humo", "HumoProvider", "HUMO"),
    Provider(
        "stripe",
        f"{_PROVIDERS}.stripe.StripeProvider",
        (
            _secret("secret_key", "STRIPE_SECRET_KEY", "sk_test_sample"),
            _secret("webhook_secret", "STRIPE_WEBHOOK_SECRET", "whsec_test_secret"),
            # Empty outside production: the built-in gateway plays Stripe's API.
            Value("api_url", "STRIPE_API_BASE", default="https://api.stripe.com"),
        ),
        origins=("https://checkout.stripe.com",),
    ),
    Provider(
        "freedompay",
        f"{_PROVIDERS}.freedompay.FreedomPayProvider",
        (
            _required("merchant_id", "FREEDOMPAY_MERCHANT_ID", "511867"),
            _secret("secret_key", "FREEDOMPAY_SECRET_KEY", "freedompay-test-secret"),
            # Empty outside production: the built-in gateway plays FreedomPay.
            Value("api_url", "FREEDOMPAY_API_URL", default="https://api.freedompay.kz"),
            Value("testing_mode", "FREEDOMPAY_TESTING_MODE", default="0"),
            Value("status_script", "FREEDOMPAY_STATUS_SCRIPT", default="get_status3.php"),
        ),
        origins=("https://*.freedompay.kz", "https://*.freedompay.money"),
    ),
    Provider(
        "cloudpayments",
        f"{_PROVIDERS}.cloudpayments.CloudPaymentsProvider",
        (
            _required("public_id", "CLOUDPAYMENTS_PUBLIC_ID", "pk_test_sample"),
            _secret("secret", "CLOUDPAYMENTS_API_SECRET", "cloudpayments-test-secret"),
            # Empty outside production: the built-in gateway plays TipTop Pay.
            Value("api_url", "CLOUDPAYMENTS_API_URL", default="https://api.tiptoppay.kz"),
            Value("bare_kind", "CLOUDPAYMENTS_BARE_KIND"),
        ),
        origins=("https://*.tiptoppay.kz", "https://*.cloudpayments.ru"),
    ),
)


def configured(env: Env, *, samples: bool) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Adapters and their values by code: of all providers with samples, else of those whose required values are set.

    With samples, an address that is not set is empty, which means the built-in gateway.
    """
    adapters: dict[str, str] = {}
    config: dict[str, dict[str, str]] = {}
    for provider in PROVIDERS:
        values = {
            value.name: env.str(value.variable, "") or _fallback(value, samples=samples)
            for value in provider.values
        }
        if all(values[value.name] for value in provider.values if value.is_required):
            adapters[provider.code], config[provider.code] = provider.adapter, values
    return adapters, config


def _fallback(value: Value, *, samples: bool) -> str:
    if not samples:
        return value.default
    return "" if value.name.endswith("_url") else value.sample or value.default


def origins(config: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What a form's redirect may lead to (the content security policy's form-action)."""
    found = {origin for provider in PROVIDERS if provider.code in config for origin in provider.origins}
    addresses = [urlsplit(value) for values in config.values() for value in values.values()]
    found |= {f"{url.scheme}://{url.netloc}" for url in addresses if url.scheme in {"http", "https"}}
    return sorted(found)


def secrets(env: Env) -> dict[str, str]:
    """What production must look at before it starts: each given secret and identifier, "unset" for the others."""
    return {
        value.variable: env.str(value.variable, "") or "unset"
        for provider in PROVIDERS
        for value in provider.values
        if value.is_secret or value.sample
    }


def samples() -> set[str]:
    return {value.sample for provider in PROVIDERS for value in provider.values if value.sample}
