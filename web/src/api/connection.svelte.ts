/** Whether the server answers. Live updates find out; whatever would change something asks first. */

class Connection {
  up = $state(true);
  /** The server knows this page no longer, or not yet. */
  signedOut = $state(false);
}

export const connection = new Connection();
