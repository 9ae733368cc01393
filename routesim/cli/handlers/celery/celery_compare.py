"""What `routesim celery compare` does once its command line is understood."""

from routesim.cli.handlers.celery.celery_monitor import duration_of
from routesim.cli.shared.exits import NO, NO_VERDICT, OK, FilesRefused
from routesim.cli.shared.options import choice
from routesim.cli.shared.output import format_for, opened, stderr_line, style_of
from routesim.cli.shared.refusing import refuse, scenario_of
from routesim.report.formats import COMPARE, formats_of, writer_of


def compare_file(path: str, visibility_timeout: str | None, format: str | None) -> int:
    """The exit status, as of `diff`: 0 both the same, 1 they differ; 3 where neither run comes to rest."""
    from routesim.run.on_redis.tasks_on_both import compare

    choice("--format", format, formats_of(COMPARE))
    if visibility_timeout is not None and visibility_timeout.isdecimal():  # in seconds, as wherever Celery has the word
        visibility_timeout += "s"
    timeout = duration_of("--visibility-timeout", visibility_timeout)
    try:
        scenario = scenario_of(path, None, redis=True)
    except FilesRefused as problem:
        return refuse(problem, format)
    found = compare(scenario, visibility_timeout=timeout)
    with opened(None) as out:
        chosen = format_for(format, out)
        writer_of(chosen, COMPARE)(out, found, style_of(out, chosen))
    if found.rabbitmq.ended == found.redis.ended == "budget":
        stderr_line(f"routesim: budget: {found.rabbitmq.seen.result.kept_going}")
        return NO_VERDICT
    return OK if found.same else NO
