// Starts `harn lsp` and hands it every Harn document.

import { commands, ExtensionContext, window, workspace } from "vscode";
import { LanguageClient, LanguageClientOptions, ServerOptions } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

function create(): LanguageClient {
  const command = workspace.getConfiguration("harn").get<string>("path", "harn");
  const server: ServerOptions = { command, args: ["lsp"] };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "harn" },
      { scheme: "untitled", language: "harn" },
    ],
  };
  return new LanguageClient("harn", "Harn", server, options);
}

async function start(): Promise<void> {
  client = create();
  try {
    await client.start();
  } catch (why) {
    const command = workspace.getConfiguration("harn").get<string>("path", "harn");
    void window.showErrorMessage(`${command} lsp does not start (${why}). Set "harn.path" to the harn binary.`);
  }
}

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    commands.registerCommand("harn.restart", async () => {
      await client?.stop();
      await start();
    }),
    workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("harn.path")) {
        await client?.stop();
        await start();
      }
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
