"""The mapping editor in a real browser: what is said while somebody types, and an edit from the form into the file.

Its full scans end what waits: after those tests that need it, by its name.
"""

from tests.browser.conftest import Window
from tests.browser.stage import Stage, at_ease, cycle

PAGE = "/pairs/sandbox/mapping"


def at_desk(window: Window) -> None:
    window.sign_in()
    window.go(PAGE)
    window.until(".samples")


def fill(window: Window, name: str, text: str) -> None:
    window.page.locator(f"[name='{name}']").fill(text)


def test_what_is_wrong_is_said_while_somebody_types(window: Window) -> None:
    at_desk(window)
    fill(window, "fields.1.emailoctopus", "First Name")
    window.until("#verdict:has-text('1 thing to mend')")
    window.until("#w-fields-1:has-text('named by its tag')")
    field = window.page.locator("[name='fields.1.emailoctopus']")
    assert field.get_attribute("aria-invalid") == "true"
    assert window.page.evaluate("document.activeElement.name") == "fields.1.emailoctopus"
    window.check("mapping-wrong")
    fill(window, "fields.1.emailoctopus", "Surname")
    window.until("#verdict:has-text('Row lastName ↔ LastName: emailoctopus LastName → Surname')")
    window.until("#verdict:has-text('EmailOctopus gets the field Surname (text)')")
    assert field.get_attribute("aria-invalid") is None
    fill(window, "fields.1.emailoctopus", "LastName")
    window.until("#verdict:has-text('Nothing is changed yet')")
    window.check("mapping-right")


def test_an_edit_goes_from_the_form_into_the_file_and_into_force(one_window: Window, stage: Stage) -> None:
    for _ in range(2):  # what other buttons asked for is done
        cycle(stage)
    before = stage.file.read_text(encoding="utf-8")
    at_desk(one_window)
    one_window.page.get_by_label("Map source", exact=True).click()
    one_window.page.wait_for_function("() => document.activeElement.name == 'fields.6.emailoctopus'")
    fill(one_window, "fields.6.emailoctopus", "Source")
    one_window.page.locator("[name='fields.6.direction']").select_option("to_emailoctopus")
    one_window.press("Add a rule")
    one_window.page.wait_for_function("() => document.activeElement.name == 'rules.0.event'")
    fill(one_window, "rules.0.then.0.text", "clicked")
    one_window.until("#verdict:has-text('Rule 1 is new')")
    one_window.check("mapping-edited")
    one_window.press("Edit as YAML")
    one_window.until("[name='rules.0.yaml']")
    one_window.check("mapping-yaml")
    one_window.press("Show what this would do")
    one_window.until("#save")
    assert one_window.page.evaluate("scrollY") < 100
    assert "Row source ↔ Source is new" in one_window.page.inner_text("#job")
    assert "create field" in one_window.page.inner_text("#job").lower()
    one_window.check("mapping-plan")
    assert stage.file.read_text(encoding="utf-8") == before
    one_window.press("Save it")
    one_window.hears("Saved in")
    one_window.check("mapping-saved")
    row = "      - {ghl: source, emailoctopus: Source, direction: to_emailoctopus}\n"
    rule = "    rules:\n      - when: {event: clicked}\n        then:\n          - add_tag: clicked\n"
    renewal = "      - {ghl: custom.renewal, emailoctopus: Renewal}\n"
    assert stage.file.read_text(encoding="utf-8") == before.replace(renewal, renewal + row + rule)
    contact, subscriber = at_ease(stage)
    stage.sides.sandbox.ghl.world.edit(contact.id, source="The editor")
    one_window.press("Begin one now")
    one_window.hears("A full scan begins")
    for _ in range(2):
        cycle(stage)
    assert stage.sides.subscriber(subscriber.id).fields["Source"] == "The editor"
    stage.file.write_text(before, encoding="utf-8")
    assert one_window.problems == []


def test_an_edit_that_is_left_can_be_gone_on_with(one_window: Window, stage: Stage) -> None:
    at_desk(one_window)
    fill(one_window, "scope.tags_any", "vip")
    one_window.until("#verdict:has-text('With any of the tags: nothing → vip')")
    one_window.press("Show what this would do")
    one_window.until("#save")
    one_window.page.get_by_role("button", name="Go on editing").click()
    one_window.until("#verdict:has-text('vip')")
    assert one_window.page.locator("[name='scope.tags_any']").input_value() == "vip"
    stage.file.write_text(stage.file.read_text(encoding="utf-8") + "# another hand\n", encoding="utf-8")
    fill(one_window, "scope.tags_any", "vips")
    one_window.until("#verdict:has-text('was changed by somebody else')")
    one_window.check("mapping-overtaken")
