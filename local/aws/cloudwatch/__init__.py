"""CloudWatch, as far as moto leaves it out: what AWS's own services count, and alarms that go off by what was counted.

- `service`: the whole of it at the door: when alarms are looked at, and what moto is completed with.
- `metrics`: what was counted, and what others put, by metric and minute.
- `statistics`: the values of a metric over periods.
- `own_metrics`: what Lambda, Step Functions and SQS count.
- `log_metrics`, `log_patterns`: what is counted out of logs: embedded metrics, and metric filters.
- `alarms`: whether an alarm is off; `rules`: alarms made of others.
- `actions`: who is told of it: topics, and EventBridge.
- `moto_model`: what is put into moto's classes.
"""

from .service import CloudWatch

__all__ = ["CloudWatch"]
