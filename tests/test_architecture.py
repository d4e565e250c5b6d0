"""The house rules that keep the project small enough to hold in the head."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent


def imports_of(path):
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level] if node.level else ()
            yield ".".join([*base, *([node.module] if node.module else [])])


def files(app):
    return [path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]


def test_pages_never_import_requests():
    for path in files("conditions"):
        assert not [name for name in imports_of(path) if name.split(".")[0] == "intake"], path


def test_applications_use_only_small_modules_of_the_site():
    allowed = {
        "clinic_site.models",
        "clinic_site.site_record",
        "clinic_site.network",
        "clinic_site.phones",
        "clinic_site.brand",
        "clinic_site.paper",
        "clinic_site.painter",
    }
    for app in ("conditions", "intake"):
        for path in files(app):
            used = {name for name in imports_of(path) if name.startswith("clinic_site")}
            assert used <= allowed, f"{path}: {used - allowed}"
