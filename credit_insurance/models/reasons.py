"""The gate's reason codes in words."""


def describe_reasons(env, reasons, currency):
    return [reason["code"] for reason in reasons or ()]
