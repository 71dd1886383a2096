"""Reads both accounts with dlt's `rest_api` source, and prints how many contacts it met."""

import json
import sys
from typing import Any

from dlt.sources.helpers.rest_client.paginators import BasePaginator, JSONResponseCursorPaginator
from dlt.sources.rest_api import rest_api_source
from requests import Request, Response

from tests.benchmarks.read_with_httpx import STATUSES


class SearchAfter(BasePaginator):
    """GHL's cursor: the last contact's own, sent in the body."""

    def __init__(self) -> None:
        super().__init__()
        self._cursor: list[Any] | None = None

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take the cursor from a full page; a short one is the last."""
        page = data or []
        self._has_next_page = len(page) == 500
        self._cursor = page[-1]["searchAfter"] if page else None
        del response

    def update_request(self, request: Request) -> None:
        """Ask for what follows."""
        assert isinstance(request.json, dict)
        request.json = {**request.json, "searchAfter": self._cursor}


def main() -> None:
    """Read and count."""
    account = json.loads(sys.argv[1])
    sources = (_ghl(account), *(_emailoctopus(account, status) for status in STATUSES))
    sys.stdout.write(str(sum(1 for source in sources for _ in source)))


def _ghl(account: dict[str, Any]) -> Any:
    body = {
        "locationId": account["location_id"],
        "pageLimit": 500,
        "sort": [{"field": "dateAdded", "direction": "asc"}],
    }
    return rest_api_source(
        {
            "client": {
                "base_url": account["ghl_url"],
                "auth": {"type": "bearer", "token": account["token"]},
                "headers": {"Version": "2021-07-28"},
            },
            "resources": [
                {
                    "name": "contacts",
                    "endpoint": {
                        "path": "contacts/search",
                        "method": "POST",
                        "json": body,
                        "data_selector": "contacts",
                        "paginator": SearchAfter(),
                    },
                }
            ],
        },
        name="ghl",
    )


def _emailoctopus(account: dict[str, Any], status: str) -> Any:
    return rest_api_source(
        {
            "client": {
                "base_url": account["emailoctopus_url"],
                "auth": {"type": "bearer", "token": account["api_key"]},
            },
            "resources": [
                {
                    "name": status,
                    "endpoint": {
                        "path": f"lists/{account['list_id']}/contacts",
                        "params": {"status": status, "limit": 100},
                        "data_selector": "data",
                        "paginator": JSONResponseCursorPaginator(
                            cursor_path="paging.next.starting_after", cursor_param="starting_after"
                        ),
                    },
                }
            ],
        },
        name="emailoctopus",
    )


if __name__ == "__main__":
    main()
