/** Whether the server responds. Live updates detect it; check it before you send an edit. */

class Connection {
  up = $state(true);
  /** The server does not accept this session. */
  signedOut = $state(false);
}

export const connection = new Connection();
