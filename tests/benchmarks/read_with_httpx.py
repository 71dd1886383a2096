"""Reads both accounts with httpx in a loop, one request after another, and prints how many contacts it met."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import httpx

STATUSES = ("subscribed", "unsubscribed", "pending")


def main() -> None:
    """Read and count."""
    account = json.loads(sys.argv[1])
    with httpx.Client(timeout=30) as client:
        met = sum(len(page) for page in (*_ghl(client, account), *_emailoctopus(client, account)))
    sys.stdout.write(str(met))


def _ghl(client: httpx.Client, account: dict[str, Any]) -> Iterator[list[Any]]:
    headers = {"Authorization": f"Bearer {account['token']}", "Version": "2021-07-28"}
    body = {
        "locationId": account["location_id"],
        "pageLimit": 500,
        "sort": [{"field": "dateAdded", "direction": "asc"}],
    }
    while True:
        answer = client.post(f"{account['ghl_url']}/contacts/search", json=body, headers=headers).raise_for_status()
        page = answer.json()["contacts"]
        yield page
        if len(page) < 500:
            return
        body["searchAfter"] = page[-1]["searchAfter"]


def _emailoctopus(client: httpx.Client, account: dict[str, Any]) -> Iterator[list[Any]]:
    headers = {"Authorization": f"Bearer {account['api_key']}"}
    url = f"{account['emailoctopus_url']}/lists/{account['list_id']}/contacts"
    for status in STATUSES:
        query = {"status": status, "limit": "100"}
        while True:
            answer = client.get(url, params=query, headers=headers).raise_for_status().json()
            yield answer["data"]
            following = (answer["paging"] or {}).get("next") or {}
            if not following.get("starting_after"):
                break
            query["starting_after"] = following["starting_after"]


if __name__ == "__main__":
    main()
