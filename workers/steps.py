"""Where the node hooks into Celery's worker: two bootsteps, and signals of orders coming and going."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.signals import task_received, task_revoked

from farm.contracts import RENDER
from workers import settings, station
from workers.errors import SpoolTaken, SpoolUnavailable
from workers.pool import slot_freed
from workers.recover import recover


class Alone(bootsteps.Step):
    """Switch off what workers tell each other: with 500 nodes everyone would hear everyone."""

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        worker.options.update(without_gossip=True, without_mingle=True)


class Presence(bootsteps.StartStopStep):
    """Open the station with the consumer, follow its reconnects, and outlive a warm shutdown.

    Celery calls ``stop`` when the connection is lost and when the worker stops, and ``shutdown`` after
    the last task has ended: until then the node goes on reporting what it still has in hand.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        try:
            self._station = station.open_station(consumer.app, settings.from_environment(), consumer.hostname)
        except (SpoolTaken, SpoolUnavailable) as error:
            # Started by hand, as a rule: one sentence says more than a traceback.
            raise SystemExit(f"shotfarm node: {error}") from error
        # Before the station has spoken the worker reads its own queue only.
        consumer.app.amqp.queues.select([self._station.node.own_queue])

    def start(self, consumer: Any) -> None:
        """Subscribe on a fresh connection."""
        self._station.subscriptions.attach(consumer)
        self._station.begin(recover)

    def stop(self, consumer: Any) -> None:
        """Let go of the connection; if the worker stops, say so."""
        self._station.subscriptions.detach()
        if consumer.blueprint.state != bootsteps.RUN:  # type: ignore[attr-defined]
            self._station.leave()

    def terminate(self, consumer: Any) -> None:
        """Let go of the connection in a cold shutdown."""
        self.stop(consumer)

    def shutdown(self, _consumer: Any) -> None:
        """Everything has ended: send the last report."""
        self._station.end()


@task_received.connect
def _order_comes(request: Any, **_: Any) -> None:
    """Count an order before the loop can ask the broker for another one."""
    here = station.current()
    if request.name == RENDER:
        here.node.hand.receive(request.id)
    else:
        here.subscriptions.refresh()


@task_revoked.connect
def _order_revoked(request: Any, **_: Any) -> None:
    station.current().node.hand.release(request.id)


@slot_freed.connect
def _order_goes(task_id: str, **_: Any) -> None:
    here = station.current()
    here.node.hand.release(task_id)
    here.subscriptions.slot_freed()
