"""Places the order of input.json at Step Functions, and says what came of it. Beside a local AWS, where no wait takes time:

stratum up --clock virtual --functions local/examples/fulfilment -- python local/examples/fulfilment/place.py
"""

import json
from pathlib import Path

import boto3
from stratum import Stratum

FOLDER = Path(__file__).parent


def main() -> None:
    table = {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "id", "KeyType": "HASH"}
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName="orders",
        AttributeDefinitions=[table[0]],
        KeySchema=[table[1]],
        BillingMode="PAY_PER_REQUEST",
    )
    with Stratum(region=dynamodb.meta.region_name) as stratum:
        order = json.loads((FOLDER / "input.json").read_text())
        print(stratum.result(stratum.start(FOLDER / "order.yaml", order)))
    print(dynamodb.scan(TableName="orders")["Items"])


if __name__ == "__main__":
    main()
