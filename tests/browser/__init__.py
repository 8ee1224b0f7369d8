"""Tests in a real browser, run by `make test-browser`: they need Chromium, which the other tests do not.

Belongs here: what only a browser can tell. Does not belong here: what a request and its answer tell (test_serving), and
what a page says (test_page).
"""
