"""From a function's name to its module."""

from __future__ import annotations

from pathlib import Path

import pytest
from stratum.handlers.functions import FunctionNotFound, function_name
from stratum.local.functions.folders import Folders


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("orders-validate", "orders-validate"),
        ("orders-validate:PROD", "orders-validate"),
        ("123456789012:function:orders-validate", "orders-validate"),
        ("123456789012:function:orders-validate:7", "orders-validate"),
        ("arn:aws:lambda:us-east-1:123456789012:function:orders-validate", "orders-validate"),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:orders-validate:$LATEST", "orders-validate"),
        ("function:PROD", "function"),
    ],
)
def test_name_is_taken_out_of_every_form_that_lambda_takes(function: str, name: str) -> None:
    assert function_name(function) == name


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    for file in (
        "one/orders.py",
        "one/shop/__init__.py",
        "one/shop/stock.py",
        "two/orders.py",
        "two/mail.py",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return Folders([tmp_path / "one", tmp_path / "two"])


@pytest.mark.parametrize(
    ("function", "found"),
    [
        ("orders-validate", ("orders", "validate")),
        ("mail.send_receipt", ("mail", "send_receipt")),
        ("shop-open", ("shop", "open")),
        ("shop-stock-reserve:3", ("shop.stock", "reserve")),
        ("arn:aws:lambda:us-east-1:1:function:shop-stock-reserve", ("shop.stock", "reserve")),
    ],
)
def test_module_and_attribute(folders: Folders, function: str, found: tuple[str, str]) -> None:
    assert folders.require(function) == found


@pytest.mark.parametrize(
    ("function", "close"),
    [
        ("order-validate", "orders-validate"),
        ("shop-stok-reserve", "shop-stock-reserve"),
        ("arn:aws:lambda:us-east-1:1:function:mial-send", "mail-send"),
    ],
)
def test_missing_module_suggests_another(folders: Folders, function: str, close: str) -> None:
    with pytest.raises(FunctionNotFound) as raised:
        folders.require(function)
    assert str(raised.value).startswith("Function not found: arn:aws:lambda:us-east-1:1")
    assert str(raised.value).count("arn:") == 1
    assert str(raised.value).endswith(f"; did you mean '{close}'?)")


@pytest.mark.parametrize(
    "function", ["", "orders", "-", "orders-", "a--b", "../orders-validate", "orders-validate now", "1-2"]
)
def test_name_that_no_local_function_has(folders: Folders, function: str) -> None:
    with pytest.raises(FunctionNotFound, match="a local function is called module-function"):
        folders.require(function)
