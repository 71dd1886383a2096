"""What both accounts of a pair can hold, asked for together."""

from collections.abc import Mapping

from sync_daemon.model.contact import AccountSchema
from sync_daemon.model.errors import CredentialsRefused, SyncError
from sync_daemon.model.system import SystemName
from sync_daemon.ports import System


def read_schemas(systems: Mapping[SystemName, System]) -> dict[SystemName, AccountSchema]:
    """The schemas of both systems. Raises what `read_schema` raises.

    Where the first system refuses the credentials the other is asked all the same: whoever mends one set shall
    hear of the other.
    """
    schemas: dict[SystemName, AccountSchema] = {}
    refused: list[SyncError] = []
    for name in SystemName:
        try:
            schemas[name] = systems[name].read_schema()
        except SyncError as error:
            if not refused and not isinstance(error, CredentialsRefused):
                raise
            refused.append(error)
    if len(refused) > 1:
        raise CredentialsRefused(next(iter(SystemName)), "\n".join(map(str, refused))) from refused[0]
    if refused:
        raise refused[0]
    return schemas
