"""What `routesim celery compare` does once its command line is understood."""

from routesim.cli.handlers.celery_monitor import check_format, duration_of
from routesim.cli.handlers.explaining import scenario_of
from routesim.cli.shared.exits import NO, NO_VERDICT, OK
from routesim.cli.shared.output import look, opened, stderr_line


def compare_file(path: str, visibility_timeout: str | None, format: str | None) -> int:
    """The exit status, as of `diff`: 0 both the same, 1 they differ; 3 where neither run comes to rest."""
    from routesim.report.answers.tasks_compared import FORMATS, write
    from routesim.run.on_redis.tasks_on_both import compare

    check_format(format, FORMATS)
    timeout = duration_of("--visibility-timeout", visibility_timeout)
    found = compare(scenario_of(path, None, redis=True), visibility_timeout=timeout)
    with opened(None) as out:
        chosen = format or ("table" if out.isatty() else "plain")
        how = look(out, chosen, quiet=False)
        write(out, found, chosen, columns=how.columns, colour=how.colour)
    if found.rabbitmq.ended == found.redis.ended == "budget":
        stderr_line(f"routesim: budget: {found.rabbitmq.seen.result.kept_going}")
        return NO_VERDICT
    return OK if found.same else NO
