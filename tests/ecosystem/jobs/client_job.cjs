// SPDX-License-Identifier: Apache-2.0
//
// Ordinary code of npm's clients, no line of Writ: `client_job.cjs CLIENT VERB ARGUMENTS…`, and prints one line of JSON. NODE_PATH names the packages.
//
// Verbs as in s3_job.py and cloud_job.py: get, put, list, forked, steps FOLDER BUCKET NAME; and ask FOLDER, for services: one question for each order.
"use strict";
const { fork } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");

function s3() {
  const { S3Client, GetObjectCommand, PutObjectCommand, ListObjectsV2Command } = require("@aws-sdk/client-s3");
  const client = new S3Client({ forcePathStyle: true });
  return {
    get: async (Bucket, Key) => (await client.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToString(),
    put: async (Bucket, Key, Body) => (await client.send(new PutObjectCommand({ Bucket, Key, Body }))) && "written",
    list: async (Bucket, Prefix) => ((await client.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? []).map((item) => item.Key),
    keys: async () => (await client.config.credentials()).accessKeyId,
  };
}

function googleStorage() {
  const { Storage } = require("@google-cloud/storage");
  const storage = new Storage({ apiEndpoint: process.env.GCS_URL, useAuthWithCustomEndpoint: true, retryOptions: { autoRetry: false } });
  return {
    get: async (bucket, name) => (await storage.bucket(bucket).file(name).download({ validation: false }))[0].toString(),
    put: async (bucket, name, text) => (await storage.bucket(bucket).file(name).save(text, { resumable: false, validation: false })) ?? "written",
    list: async (bucket, prefix) => (await storage.bucket(bucket).getFiles({ prefix }))[0].map((file) => file.name),
  };
}

function azureIdentity() {
  const { DefaultAzureCredential } = require("@azure/identity");
  const { BlobServiceClient } = require("@azure/storage-blob");
  const service = new BlobServiceClient(process.env.BLOB_URL, new DefaultAzureCredential(), { retryOptions: { maxTries: 1 } });
  return {
    get: async (container, name) => (await service.getContainerClient(container).getBlobClient(name).downloadToBuffer()).toString(),
    put: async (container, name, text) => (await service.getContainerClient(container).getBlockBlobClient(name).upload(text, text.length)) && "written",
    list: async (container, prefix) => {
      const names = [];
      for await (const blob of service.getContainerClient(container).listBlobsFlat({ prefix })) names.push(blob.name);
      return names;
    },
  };
}

function openai() {
  const { OpenAI } = require("openai");
  const client = new OpenAI({ maxRetries: 0 });
  return { ask: async () => (await client.models.retrieve("gpt")).owned_by };
}

function anthropic() {
  const { Anthropic } = require("@anthropic-ai/sdk");
  const client = new Anthropic({ maxRetries: 0 });
  return { ask: async () => (await client.messages.create({ model: "claude", max_tokens: 8, messages: [{ role: "user", content: "hello" }] })).content[0].text };
}

const clients = { "@aws-sdk/client-s3": s3, "@google-cloud/storage": googleStorage, "@azure/identity": azureIdentity, "openai-node": openai, "@anthropic-ai/sdk": anthropic };

function put(folder, name, value) {
  fs.writeFileSync(`${folder}/${name}.part`, JSON.stringify(value));
  fs.renameSync(`${folder}/${name}.part`, `${folder}/${name}`);
}

// The status that a process gets from the local endpoint, with other headers than an SDK sends.
function statusOf(url, headers) {
  return new Promise((resolve, reject) => http.get(url, { headers, timeout: 20000 }, (answer) => resolve(answer.resume().statusCode)).on("error", reject));
}

// As orders.py has it.
async function obey(folder, suffix, answer, failure) {
  put(folder, "environment", process.env);
  for (let number = 0; !fs.existsSync(`${folder}/end`); ) {
    if (!fs.existsSync(`${folder}/${number}${suffix}`)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    const order = fs.readFileSync(`${folder}/${number}${suffix}`, "utf8");
    let result;
    try {
      result = await answer(order);
    } catch (error) {
      result = failure(`${error.name}: ${error.message} ${error.statusCode ?? error.code ?? error.$metadata?.httpStatusCode ?? ""}`.slice(0, 2000));
    }
    put(folder, `${number}.done`, result);
    number += 1;
  }
}

function inWorker(...words) {
  return new Promise((resolve, reject) => fork(__filename, words, { silent: true }).on("error", reject).stdout.on("data", (line) => resolve(JSON.parse(line))));
}

async function steps(client, folder, bucket, name) {
  const made = clients[client]();
  const step = async (text) => {
    const order = JSON.parse(text);
    if (order.ask) return statusOf(...order.ask);
    const got = await made.get(bucket, name);
    return made.keys ? [got, await made.keys()] : got;
  };
  await obey(folder, "", step, (text) => (made.keys ? [text, ""] : text));
}

async function questions(client, folder) {
  let made;
  const answer = async (order) => (order === "fork" ? inWorker(client, "once") : { value: await (made ??= clients[client]()).ask() });
  await obey(folder, ".order", answer, (error) => ({ error }));
}

async function main(client, verb, ...words) {
  if (verb === "steps") return steps(client, ...words);
  if (verb === "ask") return questions(client, ...words);
  if (verb === "once") return clients[client]().ask();
  if (verb === "forked") return (await Promise.all(Array.from({ length: 8 }, () => inWorker(client, "get", ...words)))).map((answer) => answer.value);
  return clients[client]()[verb](...words);
}

main(...process.argv.slice(2)).then(
  (value) => console.log(JSON.stringify({ value: value ?? null })),
  (error) => {
    console.log(JSON.stringify({ error: `${error.name}: ${error.message} ${error.statusCode ?? error.code ?? error.$metadata?.httpStatusCode ?? ""}` }));
    process.exitCode = 3;
  });
