// Reads a batch of CloudEvents from standard input; prints what their own library makes of it.
import { text } from "node:stream/consumers";
import { HTTP } from "cloudevents";

const headers = { "content-type": "application/cloudevents-batch+json" };
const events = HTTP.toEvent({ headers, body: await text(process.stdin) });
for (const event of events) event.validate();
console.log(JSON.stringify(events));
