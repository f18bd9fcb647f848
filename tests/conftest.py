"""What every test may ask for. Settings and the choice of database: tests/settings.py."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.utils import translation
from pytest_django import DjangoDbBlocker, Settings

from tests import copying, postgres
from tests.machines import register
from tests.seeds import seeds_kept, templates_kept

register()
gc.disable()  # until all is collected: a quarter of that time would go into looking through what stays

pytest_plugins = [
    "tests.broker_fixture",
    "tests.comfysim_fixture",
    "tests.small_disk_fixture",
    "tests.s3_fixture",
    "tests.acceptance.farm_fixture",
    "tests.farm_time",
    "tests.sharing_out",
    "tests.acceptance.demo",
]


WITHOUT_FARMS = ("unit", "integration")
"""Folders whose tests reach a database by pytest-django alone."""

PAGES = ("access", "admin", "api", "characters", "presets", "prompts")
"""Folders under integration whose tests look at pages, roles and texts: their queries are Django's own, and
the services behind them are tested on PostgreSQL. make test-postgres ALL=1 runs them there as well (the
Makefile names them too, so that nobody collects them in vain)."""


ON_BOTH: dict[str, str] = {
    "common": "",
    "farm": "health",
    "folders": "paths",
    "keeping": "backups doors",
    "ledger": "",
    "productions": "at_once automations continuity demo_production import_workbook shot_machine "
    "shot_services statuses",
    "prototype": "import",
    "renders": "again collisions dispatch leader material_races races record sources submit sweep ticker",
    "review": "selecting staling take_machine",
    "sheets": "importing killed round_trip",
    "workflows": "sync_workflows template_versions",
}
"""Where the database has a part in what is promised (constraints, locks, order, backups) or the demo goes, by
folder under integration (all of it, or some of its files). All else that is given a database runs on
PostgreSQL, which is what a studio has. make test-sqlite ALL=1 runs it on SQLite as well."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first; mark which test needs which database.

    Every test that commits starts from the rows that migrations seeded (presets, shot statuses): Django
    empties the database after such a test. Some restoring the seeds and some not would also clash over
    content types. A test that is given no database is marked to run on one only: pytest-django lets it
    touch none.
    """
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    for item in items:
        mark = item.get_closest_marker("django_db")
        if mark and mark.kwargs.get("transaction"):
            seeded = pytest.mark.django_db(**{**mark.kwargs, "serialized_rollback": True})
            item.add_marker(seeded, append=False)
        if (mark is None and _needs_no_database(item)) or _shows_pages(item):
            item.add_marker("once")
        elif _is_of_production(item) and not item.get_closest_marker("once"):
            item.add_marker("production")


def _needs_no_database(item: pytest.Item) -> bool:
    suite = item.path.relative_to(Path(__file__).parent).parts[0]
    fixtures = set(getattr(item, "fixturenames", ()))
    return suite in WITHOUT_FARMS and fixtures.isdisjoint({"db", "transactional_db"})


def _is_of_production(item: pytest.Item) -> bool:
    suite, folder, *_file = item.path.relative_to(Path(__file__).parent).parts
    if suite != "integration":
        return False
    files = ON_BOTH.get(folder)
    return files is None or (files != "" and item.path.stem.removeprefix("test_") not in files.split())


def _shows_pages(item: pytest.Item) -> bool:
    parts = item.path.relative_to(Path(__file__).parent).parts
    return parts[0] == "integration" and parts[1] in PAGES


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector leave alone what lives as long as the run: Django, and thousands of tests."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """A database with all tables is there already; it goes with its folder, or with its server."""
    return _copies_tables()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Have the tables copied, where nobody else's server is tested on."""
    if not _copies_tables():
        return
    ours = connection.settings_dict
    name = ours["TEST"]["NAME"] or f"test_{ours['NAME']}"
    if connection.vendor == "sqlite":
        copying.copy_sqlite(Path(name))
    else:
        copying.copy_postgres(name)
    ours["TEST"]["MIGRATE"] = False


def _copies_tables() -> bool:
    return connection.vendor == "sqlite" or postgres.is_private()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep what migrations seeded where tests that commit have it back at once."""
    with django_db_blocker.unblock(), seeds_kept():
        connection.close()
        yield


@pytest.fixture(scope="session")
def packaged_templates(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Callable[[], None]:
    """What brings the packaged templates, as sync_templates() does, into a database that has none."""
    with django_db_blocker.unblock():
        return templates_kept()


@pytest.fixture
def templates(db: None, packaged_templates: Callable[[], None]) -> None:
    """The packaged workflows are in the database, and on offer."""
    packaged_templates()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write what a test logged so that pytest-xdist can carry it: some log half a character on purpose."""
    report = yield
    report.sections = [(name, text.encode(errors="replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Let every test begin in English: a request for a Korean page leaves its thread speaking Korean."""
    with translation.override("en"):
        yield


@pytest.fixture
def artifact_root(tmp_path: Path, settings: Settings) -> Path:
    """An empty artifact store of this test's own, as Django's storages see it; what is published beside."""
    root = tmp_path / "artifacts"
    root.mkdir()
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(root)}}
    published = {**default, "OPTIONS": {"location": str(tmp_path / "published")}}
    settings.STORAGES = {**settings.STORAGES, "default": default, "published": published}
    return root
