//! Other sessions that bring files of a tree, whose directories the first one makes.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::Receiver;
use tokio::sync::{Mutex as Turn, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use super::super::Whole;
use super::super::read::{Asked, Packet, Piece};
use super::{Putting, begin_again};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::remote::native::crew::{BREATH, Invitation, fewer, hands};
use crate::remote::tree::{Account, Bring, Portion};

/// What the sessions of a tree share.
struct Pool {
    /// Taken in turn.
    pieces: Turn<Receiver<Piece>>,
    /// Files of sessions that were lost.
    again: Mutex<Vec<Vec<u8>>>,
    /// Its user knows that there are fewer sessions.
    told: Mutex<bool>,
}

impl Pool {
    async fn next(&self) -> Option<Piece> {
        self.pieces.lock().await.recv().await
    }

    fn once_more(&self, paths: impl IntoIterator<Item = Vec<u8>>) {
        self.again.lock().unwrap_or_else(PoisonError::into_inner).extend(paths);
    }
}

/// What a helper needs to know.
#[derive(Clone)]
struct Helper {
    bring: Bring,
    pool: Arc<Pool>,
    /// How many commands of the first session are answered that make room for files.
    answered: watch::Receiver<u64>,
    /// All is in vain.
    cut: watch::Receiver<bool>,
    output: Output,
    progress: Progress,
}

impl Putting<'_, '_> {
    /// Brings all, together with others; what those leave behind that are lost, at last.
    pub(super) async fn run_with(
        &mut self,
        invitations: Vec<Invitation>,
        packets: Receiver<Packet>,
        pieces: Receiver<Piece>,
    ) -> Whole {
        let pool = Pool { pieces: Turn::new(pieces), again: Mutex::default(), told: Mutex::default() };
        let (cut, to_cut) = watch::channel(false);
        let helper = Helper {
            bring: self.bring.clone(),
            pool: Arc::new(pool),
            answered: self.answered.subscribe(),
            cut: to_cut,
            output: *self.account.output(),
            progress: self.account.progress().clone(),
        };
        // They end when this is dropped.
        let mut tasks = JoinSet::new();
        for invitation in invitations {
            tasks.spawn_on(helper.clone().run(invitation), &hands());
        }
        let pool = helper.pool;
        let mut led = self.lead(&pool, packets).await;
        if led.is_ok()
            && let Some(failure) = self.nowhere.take()
        {
            return Ok(Err(failure));
        }
        if led.is_ok() {
            led = self.all_ended(&mut tasks).await;
        }
        if led.is_err() {
            // What they have done so far is done.
            cut.send_replace(true);
            while let Some(ended) = tasks.join_next().await {
                if let Some(portion) = ended_well(ended) {
                    self.account.add(portion);
                }
            }
        }
        led?;
        let again = std::mem::take(&mut *pool.again.lock().unwrap_or_else(PoisonError::into_inner));
        if !again.is_empty() {
            let (from, to) = (self.bring.from.clone(), self.to.to_owned());
            let mut packets = begin_again(again, from, to, self.native.settings.digest);
            while let Some(packet) = packets.recv().await {
                self.send(packet).await?;
            }
            self.hear_all().await?;
        }
        self.set_attributes().await?;
        self.hear_all().await?;
        Ok(Ok(()))
    }

    /// Sends what only the first session sends, then files as the others do.
    async fn lead(&mut self, pool: &Pool, packets: Receiver<Packet>) -> Result<(), Failure> {
        // To the end, since others wait for it: a server that has files to read may keep its answers.
        self.send_all(packets).await?;
        self.hear_all().await?;
        if self.nowhere.is_some() {
            return Ok(());
        }
        while let Some(piece) = self.next_piece(pool).await? {
            self.send(piece.packet).await?;
        }
        self.hear_all().await
    }

    /// Waits for the next piece, hearing answers meanwhile.
    async fn next_piece(&mut self, pool: &Pool) -> Result<Option<Piece>, Failure> {
        loop {
            tokio::select! {
                biased;
                message = self.native.answer(), if !self.asked.is_empty() => self.take(message?)?,
                piece = timeout(BREATH, pool.next()) => match piece {
                    Ok(piece) => return Ok(piece),
                    Err(_) => self.breathe().await?,
                },
            }
        }
    }

    /// Has the server see that the session is in use though it has nothing to do.
    async fn breathe(&mut self) -> Result<(), Failure> {
        self.hear_all().await?;
        self.native.breathe().await
    }

    /// Waits until all helpers have ended, and adds what they have done.
    async fn all_ended(&mut self, tasks: &mut JoinSet<Portion>) -> Result<(), Failure> {
        loop {
            match self.native.breathing(tasks.join_next()).await? {
                None => return Ok(()),
                Some(ended) => ended_well(ended).into_iter().for_each(|portion| self.account.add(portion)),
            }
        }
    }

    /// Waits until so many of the first session's commands are answered; whether they ever will be.
    async fn wait_until(&mut self, there: &mut watch::Receiver<u64>, after: u64) -> Result<bool, Failure> {
        loop {
            let answered = timeout(BREATH, there.wait_for(|answered| *answered >= after)).await;
            match answered.map(|answered| answered.is_ok()) {
                Ok(answered) => return Ok(answered),
                Err(_) => self.breathe().await?,
            }
        }
    }

    /// Brings files, until there are no more.
    async fn help(&mut self, pool: &Pool, there: &mut watch::Receiver<u64>) -> Result<(), Failure> {
        while let Some(Piece { after, packet }) = self.next_piece(pool).await? {
            match self.wait_until(there, after).await {
                Ok(true) => {}
                Ok(false) => return Ok(()), // the first session is lost, and all with it
                Err(failure) => {
                    pool.once_more(packet.into_paths());
                    return Err(failure);
                }
            }
            let large = match &packet {
                Packet::Large { path, .. } => Some(path.clone()),
                _ => None,
            };
            if let Err(failure) = self.send(packet).await {
                let noted = |path: &Vec<u8>| self.asked.iter().any(|asked| asked.path() == path);
                pool.once_more(large.filter(|path| !noted(path)));
                return Err(failure);
            }
        }
        self.hear_all().await
    }
}

impl Helper {
    async fn run(mut self, invitation: Invitation) -> Portion {
        let accepted = tokio::select! {
            accepted = invitation.accept() => accepted,
            _ = self.cut.wait_for(|cut| *cut) => return Portion::default(),
        };
        let mut native = match accepted {
            Ok(native) => native,
            Err(failure) => {
                self.is_missing(&failure);
                return Portion::default();
            }
        };
        let mut account = Account::of_a_portion(&self.output, &self.progress);
        let mut putting = Putting::new(&mut native, &self.bring, &mut account);
        let helped = tokio::select! {
            helped = putting.help(&self.pool, &mut self.answered) => helped,
            _ = self.cut.wait_for(|cut| *cut) => Ok(()),
        };
        putting.leave().await;
        let files = putting.asked.len() as u64;
        let bytes = putting.asked.iter().map(Asked::bytes).sum::<u64>() + putting.went;
        putting.account.once_more(files, bytes);
        self.pool.once_more(putting.asked.drain(..).map(|asked| asked.path().to_vec()));
        match helped {
            Ok(()) => native.hang_up().await,
            Err(failure) => self.is_missing(&failure),
        }
        account.portion()
    }

    /// Tells that there is one session less, if nobody has told before.
    fn is_missing(&self, why: &Failure) {
        let told = &mut *self.pool.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(told, true) {
            self.progress.aside(|| self.output.say(&fewer(why)));
        }
    }
}

/// What a helper has done. A panic there is one here.
fn ended_well(ended: Result<Portion, JoinError>) -> Option<Portion> {
    match ended {
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        ended => ended.ok(),
    }
}
