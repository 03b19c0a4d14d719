"""Mails, kept in the table instead of being sent."""

from shop import once, run_of


def _send(context, recipient, text):
    def work(shop):
        shop.execute("INSERT INTO mails VALUES (?, ?, ?)", (run_of(context), recipient, text))
        return {"sent": recipient}

    return once(context, work)


def shipped(event, context):
    return _send(context, event["to"], f"your parcel {event['tracking']} is on its way")


def declined(event, context):
    return _send(context, event["to"], f"your card was not accepted: {event['why']}")


def out_of_stock(event, context):
    return _send(context, event["to"], "we are sorry: what you ordered is not there")
