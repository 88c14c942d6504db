"""Templates escape what is no markup, and a name that a template lacks is an error."""

import jinja2
import numpy as np
import pytest

from kerasmith.report import Markup, image_grid, table
from kerasmith.report.templating import render_template
from tests.report.html_checks import Page

EVIL = "<img src=x onerror=\"alert('x')\">&"


def test_text_is_escaped_and_markup_is_not():
    html = render_template("pairs.html", pairs=[(EVIL, Markup("<b>bold</b>"))])
    assert "<img" not in html
    assert "&lt;img src=x onerror=&#34;alert(&#39;x&#39;)&#34;&gt;&amp;" in html
    assert "<b>bold</b>" in html
    assert isinstance(html, Markup)


def test_in_attributes_too():
    page = Page(image_grid([np.zeros((2, 2), "uint8")], [EVIL]))
    assert page.all("img")[0]["alt"] == EVIL


def test_html_may_be_added_to_what_a_function_returns():
    assert ("<p>first</p>" + table([{"a": 1}])).startswith("<p>first</p><div")
    assert f"<p>{Markup('<b>x</b>')}</p>" == "<p><b>x</b></p>"


def test_what_xml_cannot_hold_is_replaced():
    assert "a\ufffdb" in render_template("pairs.html", pairs=[("a\x00b", "\ud800")])


def test_a_missing_value_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="pairs"):
        render_template("pairs.html")
