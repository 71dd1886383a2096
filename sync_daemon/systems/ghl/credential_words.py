"""What is wrong with what opens a location, and how to mend it: a private integration token, or a login with OAuth."""

from sync_daemon.systems.ghl.settings import GhlSettings


def refused(settings: GhlSettings, *, expired: bool) -> str:
    """GHL doesn't accept the token, because it has `expired` or for a reason that it doesn't tell."""
    if settings.bearer is not None:
        why = "as expired, though it was just renewed" if expired else "for a reason other than its end"
        return (
            f"GHL refused the token that the login of `{settings.key}.oauth` gave (HTTP 401) {why}. "
            f"{log_in_again(settings.pair)}"
        )
    return (
        f"GHL refused the token of `{settings.key}.token` (HTTP 401). Copy it again from Settings > Private "
        "Integrations of the sub-account; a rotated token works for at most 7 days."
    )


def lacks_scope(settings: GhlSettings, scope: str) -> str:
    """The token is good, but not for this."""
    if settings.bearer is not None:
        return (
            f"The login of `{settings.key}.oauth` lacks the scope `{scope}`. Tick it in the Marketplace app (its "
            f"settings, Auth), then log in again: sync-daemon oauth login --pair {settings.pair}"
        )
    return (
        f"The token of `{settings.key}.token` lacks the scope `{scope}`. Tick it in Settings > Private "
        "Integrations of the sub-account; the token stays the same."
    )


def no_access(settings: GhlSettings) -> str:
    """The token is good, but for another location."""
    if settings.bearer is not None:
        return (
            f"The login of `{settings.key}.oauth` has no access to the location of `{settings.key}.location_id`. "
            f"{log_in_again(settings.pair)}"
        )
    return (
        f"The token of `{settings.key}.token` has no access to the location of `{settings.key}.location_id`. Use a "
        "token of that sub-account, or correct the location id."
    )


def forbidden(settings: GhlSettings) -> str:
    """The token is good, but not of the kind that is wanted."""
    if settings.bearer is not None:
        return f"GHL forbids the login of `{settings.key}.oauth` this request (HTTP 403). {log_in_again(settings.pair)}"
    return (
        f"GHL forbids the token of `{settings.key}.token` this request (HTTP 403). Contacts need a private "
        "integration token of the sub-account itself, not of the agency."
    )


def forbidden_operation(settings: GhlSettings, operation: str, scope: str) -> str:
    """An operation of the catalogue that no sub-account may call."""
    key = settings.key
    credential = f"token of `{key}.token`" if settings.bearer is None else f"login of `{key}.oauth`"
    return (
        f"{operation} needs a private integration token of the agency with {scope} (the agency's Settings > "
        f"Private Integrations); GHL forbids it the {credential}, as it does a sub-account's."
    )


def log_in_again(pair: str) -> str:
    """What to do when there is no login, or it isn't good any more."""
    return f"Log in: sync-daemon oauth login --pair {pair} (or, for all of an agency's locations, with --agency)"
