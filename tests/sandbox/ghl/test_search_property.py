"""The search against a plain reading of what it should mean, over random contacts and questions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.ghl.agency import Agency, where

NAMES = ("Ada", "ada", "Bob", "Zoë", None)
CITIES = ("Rome", "rome", "Paris", None)
TAGS = ("one", "two", "three")
STATUSES = ("active", "inactive", "permanent", None)

PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "firstName": st.sampled_from(NAMES),
            "city": st.sampled_from(CITIES),
            "tags": st.lists(st.sampled_from(TAGS), unique=True),
            "dnd": st.booleans(),
            "status": st.sampled_from(STATUSES),
            "added": st.integers(0, 6),
            "score": st.one_of(st.none(), st.integers(0, 5)),
        }
    ),
    max_size=12,
)


def _filters(leaves: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda group, filters: {"group": group, "filters": filters},
            st.sampled_from(["AND", "OR"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=6,
    )


LIMITS = st.dictionaries(st.sampled_from(["gte", "lte", "gt", "lt"]), st.integers(-1, 7), min_size=1)
LEAVES = st.one_of(
    st.builds(
        where, st.sampled_from(["city", "firstNameLowerCase", "tags"]), st.sampled_from(["exists", "not_exists"])
    ),
    st.builds(
        where,
        st.sampled_from(["city", "firstNameLowerCase", "tags"]),
        st.sampled_from(["eq", "not_eq", "contains", "not_contains"]),
        st.sampled_from(["ada", "ROME", "o", "two", "zoë"]),
    ),
    st.builds(where, st.just("dnd"), st.sampled_from(["eq", "not_eq"]), st.booleans()),
    st.builds(where, st.just("status"), st.sampled_from(["eq", "not_eq"]), st.sampled_from(STATUSES[:3])),
    st.builds(where, st.sampled_from(["added", "score"]), st.just("range"), LIMITS),
)
SORTS = st.lists(
    st.tuples(st.sampled_from(["firstNameLowerCase", "dateAdded", "dnd"]), st.booleans()),
    min_size=1,
    max_size=2,
    unique_by=lambda entry: entry[0],
)

COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gte": lambda a, b: a >= b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "lt": lambda a, b: a < b,
}
FIELDS = {"firstNameLowerCase": "firstName", "dateAdded": "added"}


def holds(question: dict[str, Any], person: dict[str, Any]) -> bool:
    """What a filter means, read plainly."""
    if "group" in question:
        parts = [holds(one, person) for one in question["filters"]]
        return all(parts) if question["group"] == "AND" else any(parts)
    value = person[FIELDS.get(question["field"], question["field"])]
    values = [v.lower() if isinstance(v, str) else v for v in (value if isinstance(value, list) else [value])]
    values = [v for v in values if v is not None]
    operator, wanted = question["operator"], question.get("value")
    if operator == "range":
        limits = question["value"].items()
        return any(all(COMPARE[key](int(v), limit) for key, limit in limits) for v in values)
    if operator.endswith("exists"):
        result = bool(values)
    elif operator.endswith("eq"):
        result = (wanted.lower() if isinstance(wanted, str) else wanted) in values
    else:
        result = any(str(wanted).lower() in v for v in values)
    return not result if operator.startswith("not_") else result


def in_order(people: list[dict[str, Any]], sort: list[tuple[str, bool]]) -> list[dict[str, Any]]:
    """Sort by each entry, missing values last, equal ones by id."""
    people = sorted(people, key=lambda person: person["id"])
    for field, descending in reversed(sort):
        name = FIELDS.get(field, field)
        have = [person for person in people if person[name] is not None]
        lack = [person for person in people if person[name] is None]
        values = {person["id"]: person[name] for person in have}
        values = {key: v.lower() if isinstance(v, str) else v for key, v in values.items()}
        ranks = sorted(set(values.values()), reverse=descending)
        people = [person for rank in ranks for person in have if values[person["id"]] == rank] + lack
    return people


def asked_of_the_api(question: dict[str, Any], agency: Agency, score_id: str) -> dict[str, Any]:
    """The same question in the API's field names and instants."""
    if "group" in question:
        members = [asked_of_the_api(one, agency, score_id) for one in question["filters"]]
        return {"group": question["group"], "filters": members}
    names = {"status": "dndSettings.Email.status", "added": "dateAdded", "score": f"customFields.{score_id}"}
    translated = {**question, "field": names.get(question["field"], question["field"])}
    if question["field"] == "added":
        start = agency.clock.now()
        translated["value"] = {
            key: (start + timedelta(seconds=limit)).isoformat() for key, limit in question["value"].items()
        }
    return translated


@given(people=PEOPLE, filters=st.lists(_filters(LEAVES), max_size=3), sort=SORTS, limit=st.integers(1, 5))
def test_search_finds_what_the_question_means(
    people: list[dict[str, Any]], filters: list[dict[str, Any]], sort: list[tuple[str, bool]], limit: int
) -> None:
    agency = Agency(unseen_dnd_matches_all=False)
    score = agency.world.add_field("Score", "NUMERICAL")
    for person in people:
        status = person["status"]
        contact = agency.world.create(
            at=agency.clock.now() + timedelta(seconds=person["added"]),
            firstName=person["firstName"],
            city=person["city"],
            tags=person["tags"],
            dnd=person["dnd"],
            custom={} if person["score"] is None else {"score": person["score"]},
            dndSettings={"Email": {"status": status}} if status else {},
        )
        person["id"] = contact.id
    expected = [one["id"] for one in in_order(people, sort) if all(holds(question, one) for question in filters)]
    body: dict[str, Any] = {
        "filters": [asked_of_the_api(question, agency, score.id) for question in filters],
        "sort": [{"field": field, "direction": "desc" if down else "asc"} for field, down in sort],
        "pageLimit": limit,
    }
    seen: list[str] = []
    while hits := agency.search(**body).json()["contacts"]:
        seen += [hit["id"] for hit in hits]
        body["searchAfter"] = hits[-1]["searchAfter"]
    assert seen == expected
    assert agency.search(**body).json()["total"] == len(expected)
