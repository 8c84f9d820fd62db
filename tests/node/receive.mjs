// Receiver on Express: node receive.mjs PORT FILE
import { appendFileSync } from "node:fs";
import express from "express";

const [port, file] = process.argv.slice(2);
const app = express();
app.post("/", express.raw({ type: () => true, limit: "1mb" }), (request, response) => {
  appendFileSync(file, `${request.get("webhook-id")}\n`);
  response.send("ok");
});
app.listen(Number(port), "127.0.0.1");
