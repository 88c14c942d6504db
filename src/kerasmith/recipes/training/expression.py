"""The small language of a configuration: names, calls, numbers, sums and products. Nothing in it is ever executed.

sum     = product (("+" | "-") product)*
product = factor (("*" | "/") factor)*
factor  = ["-"] (number | call | "(" sum ")")
call    = name ["(" [argument ("," argument)*] ")"]
argument = [name "="] value
value   = ["-"] number [":" ["-"] number] | text in quotes | call | "[" [value ("," value)*] "]"
"""

import dataclasses
import re
from typing import Any

from kerasmith.recipes.training.config_error import ConfigError, Place, displayed

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>\"[^\"\\]*\"|'[^'\\]*')|(?P<sign>[-+*/()\[\],=:]))"
)
_LONGEST, _DEEPEST = 2000, 12
_WORDS = {"true": True, "false": False, "none": None, "null": None}
AUTO = "auto"


@dataclasses.dataclass(frozen=True)
class Call:
    """A name with its arguments; `place` is that of the name.

    Attributes:
        arguments: values without a name.
        named: {name: value}. A value is None, a bool, a number, a text, a list, a `Range` or a `Call`; so is a bare name.
        places: {name or position: place} of the arguments.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    named: dict[str, Any] = dataclasses.field(default_factory=dict)
    place: Place | None = None
    places: dict[Any, Place] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Range:
    """From one number to another: `20:60`."""

    start: float
    stop: float


@dataclasses.dataclass(frozen=True)
class Product:
    """A number times calls; the sum of several is an expression."""

    factor: float
    calls: tuple[Call, ...]
    place: Place


def parse_sum(text: str, place: Place) -> list[Product]:
    """The products of a sum; parentheses are multiplied out.

    >>> [(p.factor, [c.name for c in p.calls]) for p in parse_sum("0.5*(dice - 2*ce)", Place("here"))]
    [(0.5, ['dice']), (-1.0, ['ce'])]
    """
    parser = _Parser(text, place)
    products = parser.sum()
    parser.end("`+`, `-`, `*` or the end")
    return products


def parse_call(text: str, place: Place) -> Call:
    """One call: `unet(widths=[8, 16])`, or a name alone."""
    parser = _Parser(text, place)
    call = parser.call()
    parser.end("the end")
    return call


def text_of(value: Any) -> str:
    """A value, a `Call` or a list of `Product` as text that is read as the same again.

    >>> text_of(parse_sum("dice+ramp(0,.3,epochs=2:6)*boundary", Place("here")))
    'dice + ramp(0, 0.3, epochs=2:6)*boundary'
    """
    if isinstance(value, Call):
        named = [f"{name}={text_of(one)}" for name, one in value.named.items()]
        inside = ", ".join([*map(text_of, value.arguments), *named])
        return f"{value.name}({inside})" if inside else value.name
    if isinstance(value, Range):
        return f"{_number(value.start)}:{_number(value.stop)}"
    if isinstance(value, list | tuple) and value and isinstance(value[0], Product):
        return _sum(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(value)
    return f'"{value}"' if "'" in value else f"'{value}'"


def _sum(products):
    parts = []
    for product in products:
        factor = abs(product.factor)
        factors = [*([_number(factor)] if factor != 1 or not product.calls else []), *map(text_of, product.calls)]
        sign = "-" if product.factor < 0 else "+" if parts else ""
        parts.append(f"{sign} {'*'.join(factors)}" if parts else f"{sign}{'*'.join(factors)}")
    return " ".join(parts)


def _number(value):
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


class _Parser:
    """Reads one text from left to right."""

    def __init__(self, text: str, place: Place) -> None:
        if len(text) > _LONGEST:
            raise ConfigError(place, f"an expression has at most {_LONGEST} characters. Received: {len(text)}")
        self.base = place
        self.tokens = self._tokens(text)
        self.position = 0
        self.depth = 0

    def _tokens(self, text):
        tokens, at = [], 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                at += len(text[at:]) - len(text[at:].lstrip())
                raise ConfigError(
                    self.base.moved(at),
                    f"{text[at]!r} has no meaning in an expression. It is made of names, numbers, `+ - * /`, parentheses, "
                    "`name=value` and texts in quotes; code is not read.",
                )
            kind = match.lastgroup
            tokens.append((kind, match[kind], self.base.moved(match.start(kind))))
            at = match.end()
        return [*tokens, ("end", "", self.base.moved(len(text)))]

    @property
    def kind(self) -> str:
        return self.tokens[self.position][0]

    @property
    def word(self) -> str:
        return self.tokens[self.position][1]

    @property
    def place(self) -> Place:
        return self.tokens[self.position][2]

    def take(self) -> str:
        self.position += 1
        return self.tokens[self.position - 1][1]

    def is_sign(self, *signs: str) -> bool:
        return self.kind == "sign" and self.word in signs

    def fail(self, expected: str) -> ConfigError:
        result = f"`{displayed(self.word)[1:-1]}`" if self.word else "the end"
        return ConfigError(self.place, f"expected {expected}, found {result}")

    def end(self, expected: str) -> None:
        if self.kind != "end":
            raise self.fail(expected)

    def expect(self, sign: str) -> None:
        if not self.is_sign(sign):
            raise self.fail(f"`{sign}`")
        self.take()

    def sum(self) -> list[Product]:
        self.deeper()
        products = self.product()
        while self.is_sign("+", "-"):
            factor = -1.0 if self.take() == "-" else 1.0
            products += [dataclasses.replace(one, factor=factor * one.factor) for one in self.product()]
        self.depth -= 1
        return products

    def product(self) -> list[Product]:
        result = self.factor()
        while self.is_sign("*", "/"):
            place, divides = self.place, self.take() == "/"
            right = self.factor()
            if divides:
                result = [dataclasses.replace(one, factor=one.factor / self.divisor(right, place)) for one in result]
            else:
                if len(result) * len(right) > 64:
                    raise ConfigError(place, "a loss has at most 64 terms.")
                result = [Product(a.factor * b.factor, a.calls + b.calls, a.place) for a in result for b in right]
            if not all(abs(one.factor) <= 1e12 for one in result):
                raise ConfigError(place, "this factor is larger than 1e12.")
        return result

    def divisor(self, products: list[Product], place: Place) -> float:
        if any(one.calls for one in products):
            raise ConfigError(place, "only numbers divide. Write the factor with `*`.")
        value = sum(one.factor for one in products)
        if value == 0:
            raise ConfigError(place, "this divides by 0.")
        return value

    def factor(self) -> list[Product]:
        place = self.place
        if self.is_sign("-"):
            self.take()
            self.deeper()
            inner = [dataclasses.replace(one, factor=-one.factor) for one in self.factor()]
            self.depth -= 1
            return inner
        if self.is_sign("("):
            self.take()
            inner = self.sum()
            self.expect(")")
            return inner
        if self.kind == "number":
            return [Product(self.number(), (), place)]
        if self.kind == "name":
            return [Product(1.0, (self.call(),), place)]
        raise self.fail("a loss, a number or `(`")

    def call(self) -> Call:
        if self.kind != "name":
            raise self.fail("a name")
        place, name = self.place, self.take()
        arguments, named, places = [], {}, {}
        if not self.is_sign("("):
            return Call(name, place=place)
        self.take()
        self.deeper()
        while not self.is_sign(")"):
            start = self.place
            key = None
            if self.kind == "name" and self.tokens[self.position + 1][:2] == ("sign", "="):
                key = self.take()
                self.take()
                if key in named:
                    raise ConfigError(start, f"the argument `{key}` is there twice. Remove one.")
                named[key] = self.value()
            elif named:
                raise ConfigError(start, "arguments without a name come first.")
            else:
                arguments.append(self.value())
            places[len(arguments) - 1 if key is None else key] = start
            if not self.is_sign(")"):
                if not self.is_sign(","):
                    raise self.fail("`,` or `)`")
                self.take()
        self.take()
        self.depth -= 1
        return Call(name, tuple(arguments), named, place, places)

    def value(self) -> Any:
        if self.kind == "text":
            return self.take()[1:-1]
        if self.kind == "name":
            call = self.call()
            is_word = call.name.lower() in _WORDS and not call.arguments and not call.named
            return _WORDS[call.name.lower()] if is_word else call
        if self.is_sign("["):
            self.take()
            self.deeper()
            items = []
            while not self.is_sign("]"):
                items.append(self.value())
                if not self.is_sign("]"):
                    self.expect(",")
            self.take()
            self.depth -= 1
            return items
        number = self.signed_number()
        if self.is_sign(":"):
            self.take()
            return Range(number, self.signed_number())
        return number

    def signed_number(self) -> float:
        sign = 1
        if self.is_sign("-"):
            self.take()
            sign = -1
        if self.kind != "number":
            raise self.fail("a value: a number, a name, a text in quotes or `[`")
        return sign * self.number()

    def number(self) -> float:
        place, text = self.place, self.take()
        if len(text) > 30 or not abs(float(text)) <= 1e12:
            raise ConfigError(place, f"this number is too large. Received: {displayed(text)}")
        return int(text) if text.isdigit() else float(text)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ConfigError(self.place, f"parentheses are nested at most {_DEEPEST} deep.")
