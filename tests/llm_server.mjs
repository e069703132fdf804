// A small server of chat completions over llama.cpp, as OpenAI's interface has them: answers are held to a JSON schema.
// node tests/llm_server.mjs FOLDER MODEL: node-llama-cpp lies in FOLDER/node_modules; says its port in its first line.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, modelPath] = process.argv.slice(2);
const llama = await import(pathToFileURL(join(folder, 'node_modules/node-llama-cpp/dist/index.js')));
const { getLlama, LlamaChatSession, LlamaLogLevel } = llama;
const engine = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: LlamaLogLevel.error });
const model = await engine.loadModel({ modelPath });
const context = await model.createContext({ contextSize: 2048, threads: 1 });
let turn = Promise.resolve();

/** OpenAI's messages as the history of a session, without the last question. */
function history(messages) {
  return messages.slice(0, -1).map(({ role, content }) => {
    if (role === 'assistant') return { type: 'model', response: [content] };
    return { type: role === 'system' ? 'system' : 'user', text: content };
  });
}

async function answer({ messages, max_tokens: maxTokens, temperature, response_format: format }) {
  const schema = format?.json_schema?.schema ?? format?.schema;
  const grammar = schema && (await engine.createGrammarForJsonSchema(schema));
  const sequence = context.getSequence();
  try {
    const session = new LlamaChatSession({ contextSequence: sequence });
    session.setChatHistory(history(messages));
    const { responseText, stopReason } = await session.promptWithMeta(messages.at(-1).content, { grammar, maxTokens, temperature });
    const finish = stopReason === 'maxTokens' ? 'length' : 'stop';
    return { choices: [{ index: 0, message: { role: 'assistant', content: responseText }, finish_reason: finish }] };
  } finally {
    sequence.dispose();
  }
}

const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const reply = (status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (request.method !== 'POST' || !request.url.endsWith('/v1/chat/completions')) return reply(404, { error: 'no such route' });
  // One question at a time: there is one sequence.
  turn = turn.then(async () => {
    try {
      reply(200, await answer(JSON.parse(body)));
    } catch (error) {
      reply(500, { error: String(error) });
    }
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
