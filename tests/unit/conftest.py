"""Under CI the generated examples are the same in every run: what fails there fails wherever it is repeated."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
