"""Importing this has, once for all runs that are forked off afterwards, what a run imports and reads at its start."""

import importlib
import pkgutil

from sqlalchemy import create_engine

import sync_daemon
from sync_daemon.http.session import trusted

for _module in pkgutil.walk_packages(sync_daemon.__path__, "sync_daemon."):
    importlib.import_module(_module.name)
for _url in ("sqlite://", "postgresql+psycopg://"):
    create_engine(_url).dispose()
trusted()
