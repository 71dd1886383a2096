"""E-mail addresses in the one form both systems are compared by (contract, section 3)."""

import idna
from email_validator import EmailNotValidError, validate_email


def normalise(address: str) -> str:
    """Trimmed, lower case, the domain in IDNA ASCII form; what can't be encoded stays as it is."""
    plain = address.strip().lower()
    local, at, domain = plain.rpartition("@")
    if domain.isascii():
        return plain
    try:
        return local + at + idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return plain


def is_valid(address: str) -> bool:
    """Whether the syntax is that of an address somebody could have (nothing is looked up)."""
    try:
        validate_email(normalise(address), check_deliverability=False)
    except EmailNotValidError:
        return False
    return True
