"""A function to change: edit it, then `make run` again."""
import platform


def handler(event, context):
    print("called by", event["name"])
    return {
        "message": f"Hello, {event['name']}!",
        "python": platform.python_version(),
        "milliseconds_left": context.get_remaining_time_in_millis(),
    }
