"""A page for each of AMQP's reply codes."""

from routesim.explain.pages.rules import Page

REPLIES: dict[int, Page] = {
    311: Page("The content is larger than the peer accepts.", "a message beyond the limit", "Send less."),
    312: Page("A mandatory message reached no queue and comes back to its publisher.", "publish with mandatory: true and no binding that matches", "Bind a queue, or give the exchange an alternate-exchange."),
    313: Page("An immediate message found no consumer; RabbitMQ 3.0 gave this up.", "immediate: true", "Do without immediate."),
    320: Page("An operator closed the connection, or the broker shut down.", "rabbitmqctl close_connection", "Reconnect."),
    402: Page("A vhost that does not exist or may not be used.", "connecting to vhost 'shpo'", "Mend the vhost."),
    403: Page("Not allowed: the default exchange, names that begin with amq., internal exchanges, exclusive consumers, permissions.", "declaring a queue named amq.jobs", "Use another name; publish to an exchange that is not internal."),
    404: Page("An exchange or a queue that does not exist.", "publishing to an exchange that nobody declared", "Declare it first; check the spelling and the vhost."),
    405: Page("A queue that is exclusive to another connection.", "consuming somebody else's reply queue", "Use the connection that declared it."),
    406: Page("A condition is not met: a re-declaration that differs, a bad argument, an unknown delivery tag, an overdue acknowledgement.", "declaring a queue again with another TTL", "Declare it as it is, or delete it first; ack each delivery once, on its own channel."),
    400: Page("The management API refused a policy.", "a policy with an unknown key", "Mend what the text names."),
    501: Page("A frame that cannot be read.", "a name that is not UTF-8", "A client library's mistake."),
    502: Page("A method with arguments that cannot be.", "", "A client library's mistake."),
    503: Page("A method that is out of place; before 3.13.3 also an unknown exchange type. Closes the whole connection.", "declaring an exchange of type topics", "Mend the type; enable the plugin that has it."),
    504: Page("Work on a channel that is not open.", "publishing on a closed channel", "Open a new channel after an error."),
    505: Page("A frame out of order.", "two threads on one channel", "One channel a thread."),
    506: Page("The broker has not the resources.", "too many channels", "Close what is not used."),
    530: Page("Not allowed in this way; closes the whole connection.", "a second consumer with the same tag on one channel", "Another tag, or another channel."),
    540: Page("RabbitMQ does not implement this; closes the whole connection.", "basic.get on a stream; recover without requeue; delete with if-unused on a quorum queue", "Do without it."),
    541: Page("Something failed inside the broker, or a deprecated feature is off. Closes the whole connection.", "a transient queue that is not exclusive, from 4.3", "Make the queue durable or exclusive; read the broker's log."),
}  # fmt: skip
