"""Is the order in order?"""

PRICES = {"book": 20, "lamp": 45, "rare-vase": 900}


def validate(event, context):
    order = event["order"]
    errors = [f"nobody sells {item['sku']}" for item in order["items"] if item["sku"] not in PRICES]
    if not order["items"]:
        errors.append("there is nothing in it")
    worth = sum(PRICES.get(item["sku"], 0) * item["qty"] for item in order["items"])
    if not errors and worth != order["total"]:
        errors.append(f"its items cost {worth}, not {order['total']}")
    return {"ok": not errors, "errors": errors}
