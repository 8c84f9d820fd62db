// Reads an AsyncAPI document from standard input; prints what its own parser finds wrong.
import { text } from "node:stream/consumers";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(await text(process.stdin));
const errors = diagnostics.filter(({ severity }) => severity === 0);
const operations = document?.operations().all() ?? [];
const sent = operations.flatMap((operation) => operation.messages().all().map((m) => m.name()));
console.log(JSON.stringify({ errors, sent }));
