"""What is on the shelves."""

from shop import once, run_of


class OutOfStock(Exception):
    pass


def reserve(event, context):
    def work(shop):
        for item in event["items"]:
            taken = shop.execute(
                "UPDATE stock SET qty = qty - ? WHERE sku = ? AND qty >= ?",
                (item["qty"], item["sku"], item["qty"]),
            ).rowcount
            if not taken:
                raise OutOfStock(f"there are not {item['qty']} of {item['sku']}")
            shop.execute("INSERT INTO reserved VALUES (?, ?, ?)", (run_of(context), item["sku"], item["qty"]))
        return {"id": f"r-{event['order']}", "items": sum(item["qty"] for item in event["items"])}

    return once(context, work)


def release(event, context):
    def work(shop):
        rows = shop.execute("SELECT sku, qty FROM reserved WHERE run = ?", (run_of(context),)).fetchall()
        for sku, qty in rows:
            shop.execute("UPDATE stock SET qty = qty + ? WHERE sku = ?", (qty, sku))
        shop.execute("DELETE FROM reserved WHERE run = ?", (run_of(context),))
        return {"released": len(rows)}

    return once(context, work)


def pack_gift(event, context):
    return {"gift": "a bookmark", "for": event["order"]}
