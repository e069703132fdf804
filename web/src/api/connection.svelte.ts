/** Whether the server answers. Live updates find out; whatever would change something asks first. */

class Connection {
  up = $state(true);
}

export const connection = new Connection();
